"""One module per page; `st.navigation` runs the current one."""
