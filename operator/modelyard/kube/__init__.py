"""The API server: reading, server-side apply, delete, Events."""
