"""The way in: a bounded body, a checked and masked event, a place in the store, an answer."""
