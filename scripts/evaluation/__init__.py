"""How good a model is, who is told, and whether it may replace the champion."""
