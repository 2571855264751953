"""ASGI middleware around Streamlit: addresses and static files."""
