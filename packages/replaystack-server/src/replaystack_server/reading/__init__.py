"""The way out: the JSON API and the event stream that pages, scripts and tests read."""
