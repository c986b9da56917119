"""Redis: replication groups as AWS tells them, with a real server that lets clients sign in."""
