"""Feeds of films to come with their forecasts, for readers of feeds and for calendars."""
