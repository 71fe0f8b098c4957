"""Names of places, to tell a region from other names: parts of the world, countries, states."""

from __future__ import annotations

_NAMES = """
    Africa, America, Americas, Antarctica, Asia, Asia-Pacific, Asia Pacific, Australia, Caribbean, EMEA, Europe,
    European Union, Latin America, Middle East, North America, Oceania, Pacific Rim, Scandinavia, South America,
    Argentina, Austria, Bahrain, Bangladesh, Belgium, Bolivia, Brazil, Bulgaria, Canada, Chile, China, Colombia,
    Costa Rica, Croatia, Cuba, Cyprus, Czech, Denmark, Ecuador, Egypt, Estonia, Ethiopia, Finland, France, Germany,
    Ghana, Greece, Guatemala, Hong Kong, Hungary, Iceland, India, Indonesia, Iran, Iraq, Ireland, Israel, Italy,
    Japan, Jordan, Kazakhstan, Kenya, Korea, Kuwait, Latvia, Lebanon, Lithuania, Luxembourg, Malaysia, Malta, Mexico,
    Morocco, Netherlands, New Zealand, Nigeria, Norway, Oman, Pakistan, Panama, Peru, Philippines, Poland, Portugal,
    Puerto Rico, Qatar, Romania, Russia, Saudi Arabia, Serbia, Singapore, Slovakia, Slovenia, South Africa, Spain,
    Sri Lanka, Sweden, Switzerland, Taiwan, Thailand, Tunisia, Turkey, Ukraine, United Arab Emirates, United Kingdom,
    United States, Uruguay, Venezuela, Vietnam, U.S., U.K., USA,
    Alabama, Alaska, Arizona, Arkansas, California, Colorado, Connecticut, Delaware, Florida, Georgia, Hawaii, Idaho,
    Illinois, Indiana, Iowa, Kansas, Kentucky, Louisiana, Maine, Maryland, Massachusetts, Michigan, Minnesota,
    Mississippi, Missouri, Montana, Nebraska, Nevada, New Hampshire, New Jersey, New Mexico, New York, North Carolina,
    North Dakota, Ohio, Oklahoma, Oregon, Pennsylvania, Rhode Island, South Carolina, South Dakota, Tennessee, Texas,
    Utah, Vermont, Virginia, Washington, West Virginia, Wisconsin, Wyoming
    """
PLACES = frozenset(" ".join(name.split()) for name in _NAMES.split(","))
