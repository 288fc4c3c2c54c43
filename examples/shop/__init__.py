"""A small shop on FastAPI, so that ReplayStack can be watched on traffic that is not made up."""
