"""The film catalogue: the films that callers find by their titles, in one file beside the model."""
