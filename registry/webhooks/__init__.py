"""Telling servers outside of registry events: signed messages over https, kept until they arrived or were given up."""
