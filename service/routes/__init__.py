"""The HTTP routes: each module makes one blueprint out of what it is given."""
