"""The readers' own pages: subscribe, confirm, choose, leave; providers' hooks; and the site, if it is asked for."""
