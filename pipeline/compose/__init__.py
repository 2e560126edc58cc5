"""Posts to Issue, and the editable draft in issues/."""
