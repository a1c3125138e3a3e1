"""The constraint families: one function each, one file each, in the order in which they are added."""
