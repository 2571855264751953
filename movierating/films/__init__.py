"""A film's facts before its release, its text, its tokens and the codes of its categories."""
