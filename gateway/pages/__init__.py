"""The pages, an area of the portal each."""
