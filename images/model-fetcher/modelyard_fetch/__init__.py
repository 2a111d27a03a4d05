"""Brings files into a pod's volume before its main container starts. Standard library only.

Everything a registry says is hostile text: quoted in URLs, checked before it becomes a path, and kept from any shell.
"""
