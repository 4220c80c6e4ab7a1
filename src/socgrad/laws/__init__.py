"""Laws of counts, for both wings."""
