"""Reading a fit: draws, geography, files, labels and common support."""
