"""The pages: events, one event in full, senders, logs, flows, one flow.

Everything that an event holds is untrusted. Templates escape by default; the few modules that
build markup themselves (`texts`, `json_view`) escape each piece, and no event's URL ever
becomes a link.
"""
