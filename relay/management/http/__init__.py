"""What waits: the connection, the calls with their budget and tries, the lists, the client."""
