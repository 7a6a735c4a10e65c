"""Orders of Yunyou: requested, planned towards a target, previewed, frozen, made of steps, and taken back."""
