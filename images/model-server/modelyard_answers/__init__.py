"""Lets who holds a key see whether two servers answered the same requests alike, and never what they answered."""
