"""Checks of what comes from outside: tables, labels, numbers. The doors of both wings use them."""
