"""Who may talk to this server: keys, sessions, hosts and the headers that browsers obey."""
