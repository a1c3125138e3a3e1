"""What a solve gives back: the plan, its figures, and why they are what they are."""
