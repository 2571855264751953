"""What runs the system: credentials, replacement, drills, and the files of the engines."""
