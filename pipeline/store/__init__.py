"""The ledger and the audience behind the Store protocol."""
