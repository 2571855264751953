"""Tools and configuration for operators: secrets, upgrades, recovery drills, monitoring."""
