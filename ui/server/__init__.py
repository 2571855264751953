"""What Streamlit serves: addresses and static files."""
