"""A small shop on FastAPI, Flask and Django: ReplayStack can be watched on traffic that is not made up."""
