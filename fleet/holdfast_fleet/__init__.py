"""Headquarters' side: takes what hubs send, commits it, and only then says so."""
