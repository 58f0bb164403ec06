"""Who else uses this session: H1xx."""
