"""The title register: holder, rights, encumbrances, freeze, versions of content."""
