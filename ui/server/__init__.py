"""ASGI middleware around Streamlit: it redirects unknown addresses and serves static files."""
