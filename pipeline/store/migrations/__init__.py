"""How the tables came to be, one file a change; store/migrate.py runs them.

A new one: copy the newest file of versions/ under the next number, say the
change in `upgrade` with `op.batch_alter_table`, change tables.py alike, and
set REVISION in migrate.py. tests/store says if the two differ.
"""
