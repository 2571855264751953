"""Tools and configuration for operators: secrets, replacement, upgrades, drills, monitoring."""
