"""The plan as a planner writes it: the plan file, its calendar, its tables and its rules."""
