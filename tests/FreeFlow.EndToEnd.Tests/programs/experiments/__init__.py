"""What experiment.py can do to a connection. Every function of (client, server) in these modules is one experiment."""
