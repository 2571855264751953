"""The texts and templates of the page, in each language."""
