"""The facts about a film before its release, and what is derived from them: tokens and codes."""
