"""Says how much HTML of a mail is shown."""

from __future__ import annotations

#: Gmail cuts a message off at about 102 kB of HTML and hides the rest, the
#: unsubscribe link included (github.com/hteumeuleu/email-bugs, issue 41).
CLIP_BYTES = 102_000
