"""How values look in notebooks: pieces of HTML without a library, every label escaped."""
