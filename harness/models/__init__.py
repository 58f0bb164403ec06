"""What does a mapped class ask of its instances?"""
