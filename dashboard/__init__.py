"""The wing of people: the screens, in Streamlit."""
