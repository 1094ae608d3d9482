"""Words: cues, roles, descriptions of sources, marks of institutions. Closed lists, compiled from grammars and from reading
news; inflections are made here."""

AFTER_THAT = frozenset("that whether if how why".split())
AUXILIARIES = frozenset(
    "has have had is are was were be been being will would can could may might must should shall do does did "
    "hasn’t haven’t hadn’t isn’t aren’t wasn’t weren’t won’t wouldn’t can’t couldn’t didn’t doesn’t don’t ’s ’ve ’d not n’t "
    "hasn't haven't hadn't isn't aren't wasn't weren't won't wouldn't can't couldn't didn't doesn't don't never".split()
)
PASSIVE = frozenset("is are was were be been being gets got".split())
NEGATIONS = frozenset("not never n’t didn’t doesn’t don’t hasn’t haven’t didn't doesn't don't hasn't haven't".split())
ADVERBS = frozenset(
    """
    also later then already again still often always once now recently earlier previously repeatedly reportedly
    further furthermore additionally first finally even just simply only publicly privately famously frequently
    quickly initially meanwhile both all therefore thus however too since yesterday today monday tuesday wednesday
    thursday friday saturday sunday ever directly clearly explicitly specifically particularly strongly generally
    consistently openly long largely soon instead especially actually ultimately subsequently separately
    immediately regularly usually sometimes similarly likewise jokingly bluntly rightly correctly wrongly falsely
    nevertheless nonetheless accordingly
    """.split()
)

_REGULAR = """
accuse add admit admonish advise affirm agree allege announce answer apologize apologise argue ask assail assert
assess assure attest bemoan blame blast boast brag call caution challenge charge chant chide cite claim clarify
comment compare complain concede conclude concur condemn confess confide confirm contend counter criticize
criticise declare decline decry defend demand denounce deny describe detail disagree discuss dismiss dispute
elaborate email emphasize emphasise encourage enthuse estimate exclaim explain express hail highlight hint
hypothesize hypothesise imply indicate inform insist instruct interject joke lament lash lecture liken list
maintain mention mock mourn muse note observe opine outline pledge point posit postulate praise predict press
proclaim promise propose protest question quip react reason reassert reassure recall recommend recount reflect
reiterate relate remark remember remind repeat reply report respond reveal ridicule shout signal slam speculate
state stress suggest summarize summarise surmise sum testify text theorize threaten tout tweet underline
underscore urge venture vent voice volunteer vow warn whisper wonder worry yell post reckon calculate forecast
caution advocate attribute acknowledge allude conjecture contest correct echo explain extol fret gripe grumble
hypothesise implore inquire intone invoke label mutter object pontificate proffer rail rebuff rebut recap reject
relay scoff stipulate accentuate alert articulate counsel discourage elucidate share specify
""".split()
_IRREGULAR = {
    "say": "say says said saying",
    "tell": "tell tells told telling",
    "write": "write writes wrote written writing",
    "think": "think thinks thought thinking",
    "speak": "speak speaks spoke spoken speaking",
    "put": "put puts putting",
    "swear": "swear swears swore swearing",
    "foresee": "foresee foresees foresaw foreseeing",
    "find": "find finds found finding",
    "see": "see sees saw seeing",
    "believe": "believe believes believed believing",
    "hope": "hope hopes hoped hoping",
    "expect": "expect expects expected expecting",
    "show": "show shows showed shown showing",
    "teach": "teach teaches taught teaching",
    "offer": "offer offers offered offering",
    "continue": "continue continues continued continuing",
    "begin": "begin begins began beginning",
    "conclude": "conclude concludes concluded concluding",
}


def _inflected(verb: str) -> tuple[str, ...]:
    if verb.endswith("e"):
        return verb, verb + "s", verb + "d", verb[:-1] + "ing"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb, verb[:-1] + "ies", verb[:-1] + "ied", verb + "ing"
    stem = verb + verb[-1] if verb in ("admit", "quip", "sum", "rebut", "recap") else verb
    ending = "es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s"
    forms = (verb, verb + ending, stem + "ed", stem + "ing")
    return (*forms, verb + "led", verb + "ling") if verb in ("label", "signal") else forms


CUES: dict[str, str] = {form: verb for verb in _REGULAR for form in _inflected(verb)}
CUES.update({form: verb for verb, forms in _IRREGULAR.items() for form in forms.split()})
"""Inflected form to verb."""

SURE = frozenset(
    """
    say tell add explain note argue claim insist stress emphasize emphasise warn write state reply respond recall
    announce assert contend maintain declare acknowledge concede admit remark observe comment caution predict
    reiterate tweet conclude suggest lament joke quip exclaim elaborate clarify affirm opine testify confirm
    underscore underline advise counsel recommend complain allege vow pledge reveal elucidate specify
    """.split()
)
"""Verbs that by themselves announce what someone says."""
NEEDS_THAT = frozenset(
    """
    think believe hope expect find see show teach indicate signal imply report estimate hint worry question
    remember reflect calculate reckon foresee forecast speculate wonder agree disagree answer ask deny dispute
    demand promise propose threaten swear volunteer reason repeat continue begin offer mention highlight point
    react confide share alert theorize muse surmise hypothesize attest protest object counter
    """.split()
)
"""Verbs that announce a statement if "that", a colon or a quotation follows, or if a comma sets them off."""
LOOSE = frozenset(
    """
    accuse blame call criticize criticise defend denounce describe dismiss praise condemn compare blast slam mock
    hail tout urge encourage cite discuss outline detail list express voice advocate echo reject label liken
    question attribute highlight extol ridicule decry assail ask demand request propose promise challenge
    """.split()
)
"""Verbs whose object is the statement, said in other words ("called the plan a mistake")."""
NOUNISH = frozenset(
    """
    claims claim report reports note notes comment comments state states call calls question questions answer
    answers address caution cautions charge charges demand demands estimate estimates express hint hints mention
    offer offers point points post posts press promise promises protest protests react remark remarks reply
    replies request signal signals stress text tweet tweets urge voice voices vow vows wonder worry worries view
    views show shows list lists detail details challenge challenges praise reason reasons object objects label
    labels find finds forecast forecasts test see
    """.split()
)
"""Forms that are as often nouns or other verbs: a subject has to stand before them."""

HONORIFICS = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev reverend fr father sister rabbi imam".split()
)
TITLES = frozenset(
    """
    president vice prime minister chancellor senator sen rep representative congressman congresswoman gov governor
    mayor secretary ambassador judge justice general gen colonel col captain capt lt lieutenant sgt sergeant
    admiral major chief sheriff officer detective inspector commissioner superintendent chairman chairwoman chair
    chairperson director ceo cfo coo cto king queen prince princess pope bishop archbishop cardinal pastor speaker
    leader coach manager editor spokesman spokeswoman spokesperson attorney counsel deputy assistant associate
    senior former acting interim executive co-founder founder head principal dean provost rector treasurer nurse
    analyst economist professor lecturer councillor councilman councilwoman councilor mp mep md secretary-general
    vice-president lawmaker republican democrat democratic treasury foreign finance health education interior
    defence defense home transport energy environment agriculture labor labour justice communications state
    """.split()
)
ROLES = frozenset(
    """
    guide guard clerk cleaner janitor mason butcher miller plumber electrician welder tiler roofer barber hairdresser waiter
    waitress bartender tutor mentor veteran referee umpire goalkeeper striker captain skipper shepherd forester ranger
    chairperson councilor alderman registrar bookseller publisher typist seamstress diver hiker climber cyclist swimmer
    academic accountant activist actor actress administrator adviser advisor advocate agronomist aide ambassador
    analyst anesthesiologist anthropologist archaeologist architect archivist artist assistant astronaut
    astronomer astrophysicist athlete attorney author baker banker biochemist biologist blogger botanist broker
    businessman businesswoman candidate captain cardiologist caretaker ceo chair chairman chairperson chairwoman
    chancellor chef chemist chief clergyman climatologist clinician co-author co-director co-founder coach
    coauthor cofounder columnist commander commentator commissioner composer congressman congresswoman
    conservationist consultant contractor coordinator correspondent council-member councillor councilman
    councilwoman counsel counselor counsellor creator criminologist critic curator dean demographer dentist deputy
    dermatologist designer developer dietician dietitian diplomat director doctor driver ecologist economist
    editor educator employee endocrinologist engineer entomologist entrepreneur environmentalist epidemiologist
    ethicist executive expert farmer fellow filmmaker fisherman forecaster founder gastroenterologist geneticist
    geographer geologist geophysicist gerontologist governor gynecologist head headmaster headteacher hematologist
    historian hydrologist illustrator immunologist inspector instructor investigator investor journalist judge
    justice lawmaker lawyer lead leader lecturer legislator librarian linguist lobbyist magistrate manager
    marketer mathematician mayor mechanic member meteorologist microbiologist midwife minister musician naturalist
    negotiator nephrologist neurologist neuroscientist neurosurgeon novelist nurse nutritionist obstetrician
    oceanographer officer official oncologist operator ophthalmologist organizer organiser orthodontist
    orthopedist owner painter paleontologist parent partner pastor pathologist patient pediatrician paediatrician
    pharmacist pharmacologist philosopher photographer physician physicist physiotherapist pilot planner poet
    politician pollster practitioner president priest principal producer professor programmer prosecutor
    psychiatrist psychoanalyst psychologist psychotherapist pulmonologist rabbi radiologist ranger rector
    registrar reporter representative research researcher resident retailer rheumatologist sailor scholar
    scientist secretary seismologist senator sergeant sheriff shopkeeper singer sociologist solicitor specialist
    spokesman spokesperson spokeswoman staffer statistician strategist student superintendent supervisor supporter
    surgeon teacher technician technologist theologian therapist toxicologist trader trainer translator treasurer
    trustee urologist vet veterinarian vice-chair vice-president villager violinist virologist volcanologist
    volunteer warden witness worker writer zoologist nominee businessperson mogul tycoon strategist radiographer
    orthopaedist otolaryngologist anaesthetist audiologist optometrist podiatrist hepatologist horticulturist
    agriculturist cartographer glaciologist limnologist mycologist ornithologist primatologist ichthyologist
    herpetologist parasitologist bioethicist bioengineer cosmologist roboticist cryptographer logistician actuary
    auditor appraiser arborist beekeeper brewer carpenter firefighter fireman paramedic policeman policewoman
    constable lieutenant colonel general major admiral monk nun vicar bishop archbishop cardinal imam elder
    monarch king queen prince princess duke duchess baron chancellor provost bursar postdoc intern trainee
    apprentice coroner sommelier gardener florist tailor weaver potter sculptor conductor pianist cellist drummer
    guitarist rapper dancer choreographer playwright screenwriter director-general secretary-general mother father
    wife husband son daughter brother sister widow neighbor neighbour friend colleague customer passenger shopper
    visitor tourist survivor victim cook auctioneer foreman forewoman taster laryngologist bryologist
    """.split()
)
DESCRIBED = ROLES | frozenset(
    """
    aides allies authorities backers bystanders colleagues conservatives democrats diplomats doctors economists
    experts families fans firefighters friends insiders investigators journalists lawmakers lawyers leaders
    liberals locals men women man woman members neighbors neighbours observers officials onlookers opponents
    organizers parents participants people person police prosecutors protesters republicans researchers residents
    scientists skeptics sources source supporters survivors teachers users viewers voters witnesses workers
    advisers advisors analysts critics clinicians physicians specialists rivals some many others several most team
    staff group groups crowd readers others activists veterans farmers students professionals academics authorities
    """.split()
)
DESCRIBED |= frozenset(word + "s" for word in ROLES if word.isalpha())
GROUP_ONLY = frozenset("some many others several most few both all".split())
ORG_HEADS = frozenset(
    """
    agency authority association bank board bureau campaign center centre chamber club commission committee
    company conference congress consortium corporation corp council court department embassy federation firm
    foundation fund government group hospital inc institute institution journal lab laboratory ltd magazine
    ministry movement museum network newspaper ngo office organisation organization panel parliament party plc
    police post press programme program report school senate service society station study survey team times
    tribunal trust union university white-house authorities data poll polls statement figures documents document
    analysis research review paper watchdog regulator retailer carmaker automaker airline
    """.split()
)
ORG_MARKS = frozenset(
    """
    equities facts accountants investment investments corporate institutional responsibility sachs geo
    university college school institute institution hospital clinic center centre medical agency ministry
    department association council committee commission corporation corp company inc ltd llc plc group bank
    society foundation federation union board bureau office party house senate congress parliament court authority
    service services laboratory laboratories lab labs museum library church news times post daily journal press
    radio television tv network airlines airways motors electric systems technologies technology industries
    holdings partners capital securities research academy faculty trust fund organization organisation
    international national royal state observatory station programme program project alliance league club team
    team’s consulting economics advisors associates studios media health healthcare pharma biotech pharmaceuticals
    energy oil gas power polytechnic infirmary sanatorium orchestra theatre theater gallery county city
    cooperative co-operative chamber conference consortium initiative network think-tank army navy police force
    forces government administration assembly cabinet embassy consulate
    """.split()
)
PLACES = frozenset(
    """
    america britain england scotland wales ireland france germany spain italy russia china japan korea india
    pakistan israel iran iraq syria turkey egypt nigeria kenya brazil mexico canada australia europe asia africa
    washington london paris berlin moscow beijing tokyo seoul busan new york california texas florida ohio iowa
    hampshire jersey virginia carolina north south east west northern southern eastern western united states
    kingdom republic emirates saudi arabia kong hong brussels geneva vienna zurich delhi mumbai singapore vietnam
    thailand philippines indonesia malaysia taiwan ukraine poland nevada michigan wisconsin pennsylvania georgia
    massachusetts vermont colorado arizona utah oregon illinois indiana atlantic pacific mediterranean arctic
    antarctic middle street avenue road river mountain lake island islands bay gangnam incheon daegu daejeon
    gwangju jeju ulsan sejong cape town sierra nevada namibia venezuela
    """.split()
)
CALENDAR = frozenset(
    """
    january february march april may june july august september october november december monday tuesday wednesday
    thursday friday saturday sunday christmas easter ramadan thanksgiving today yesterday tomorrow
    """.split()
)
NOT_NAMES = CALENDAR | frozenset(
    """
    the a an this that these those he she it they we i you his her its their our my your who what when where why
    how if but and or so as at in on of for to from by with about after before since until while although though
    because however meanwhile moreover according asked speaking some many most all both several other others
    another each every no not yes one two three four five six seven eight nine ten first second third last next
    more less there here then now also still even just only once again korean american british french german
    chinese japanese russian indian italian spanish european asian african muslim christian jewish catholic
    republican republicans democrat democrats democratic gop english arab mexican israeli iranian dr mr mrs ms
    prof sen rep gov president covid internet twitter facebook google
    """.split()
)
PARTICLES = frozenset(
    "de da del della di du van von der den ten ter la le el al bin ibn binti dos das do y e st st. san mac abu ben".split()
)
SUFFIXES = frozenset(("jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "md", "ph.d.", "m.d."))
ABBREVIATIONS = frozenset(
    """
    mr mrs ms dr prof sen rep gov gen col lt sgt capt cmdr adm maj st mt ft jr sr vs etc inc ltd corp co no vol
    fig al dept univ rev hon pres supt u.s u.k u.n d.c e.g i.e a.m p.m jan feb mar apr jun jul aug sep sept oct
    nov dec approx est ave blvd rd assn bros messrs mme mlle ph.d m.d b.a m.a n.y n.j n.h calif mass conn pa md va
    ill ariz ala ga fla tenn wash colo mich minn wis okla ore nev r-ky d-calif
    """.split()
)
HE = frozenset(("he", "his", "him"))
SHE = frozenset(("she", "her", "hers"))
PRONOUNS = frozenset("he she they it we i you who".split())
MALE = frozenset(
    "mr sir lord king prince father fr man spokesman chairman businessman congressman husband son brother".split()
)
FEMALE = frozenset(
    "mrs ms miss dame lady queen princess sister woman spokeswoman chairwoman businesswoman congresswoman "
    "wife daughter mother".split()
)
