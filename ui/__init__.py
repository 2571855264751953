"""What the page is made of; `app.py` is its frame. It speaks HTTP and imports nothing of ours."""
