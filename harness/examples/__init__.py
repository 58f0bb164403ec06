"""How is each example of a property kept apart from the next? The only room that looks at hypothesis for that."""
