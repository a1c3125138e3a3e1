"""Files in and out: numbers as people type them, plan files, tables, and folders that are replaced whole."""
