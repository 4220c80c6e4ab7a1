"""What samples a model: each engine says what it takes, and the first that takes a model begins."""
