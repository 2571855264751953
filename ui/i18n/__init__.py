"""The texts and HTML templates of the UI in each language."""
