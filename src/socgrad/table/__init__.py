"""The door: from the caller's table to validated areas within authorities."""
