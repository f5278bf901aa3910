"""What the papers of the burglary say. All of it is invented."""

SUMMARY = (
    "Between the evening of Monday 2 March and the morning of Tuesday 3 March 2026, unit 7 at Canal Wharf was entered by force through the"
    " pedestrian door beside the loading bay. The unit is let to Dunmore & Pell Instruments, who repair marine navigation equipment. Eleven"
    " items were taken, of a total value of about 24,300. Nobody was in the building.",
    "The entry shows the same method as the burglaries at units 2 and 5 in January (2026-000091 and 2026-000133): the door pried at the"
    " height of the lock with a bar about 25 mm wide, the alarm's siren filled with foam, and a white van standing at the"
    " bay for less than ten minutes. The three reports are worked together by Northgate Investigations as a series.",
)
PREMISES = (
    "Canal Wharf is a row of nine units between Lockkeeper's Road and the Northgate Canal. It is reached by one barrier, open from"
    " 05:30 to 20:00 and on a keypad code at other times. The code was last changed in August 2025 and is known to all tenants, their"
    " cleaners and two hauliers.",
    "Unit 7 has a roller shutter to the loading bay, a pedestrian door of timber in a steel frame to the right of it, and an office with a"
    " window to the towpath. Cameras C1 (barrier), C2 (quay) and C4 (east end) were recording. C3, which covers the bay of unit 7, had"
    " been reported out of order on 19 February and was not repaired.",
)
EVENTS = (
    ("19:10", "Marguerite Dunmore leaves as the last person, sets the alarm, locks the pedestrian door.", "Statement MD/1"),
    ("01:52", "Keypad code entered at the barrier. Code is the shared one.", "Barrier log"),
    ("01:53", "White panel van, one headlamp dark, passes C1 towards the quay. Registration not readable.", "Camera C1"),
    ("01:55", "Alarm panel reports “tamper, siren” and falls silent after 4 seconds.", "Alarm receiving centre"),
    ("01:56", "Door contact of unit 7 opens.", "Alarm panel memory"),
    ("02:01", "Alarm receiving centre calls the keyholder; call goes to voicemail.", "Centre's call log"),
    ("02:04", "Van passes C1 towards Lockkeeper's Road, turning left.", "Camera C1"),
    ("02:06", "A person in dark clothing walks west along the towpath, carrying something long.", "Camera C2"),
    ("06:30", "Marguerite Dunmore arrives, finds the door open and the frame broken.", "Statement MD/1"),
    ("06:42", "Report by telephone to Northgate Police.", "Dispatch log"),
    ("06:58", "PC Lindqvist and PC Haddad at the scene; scene closed.", "Dispatch log"),
    ("08:20", "Dog handler follows a track from the door along the towpath to the footbridge.", "Notebook TL"),
    ("08:47", "Pry bar found in the reeds below the footbridge.", "Exhibit TL/4"),
)
PROPERTY = (
    ("1", "Gyrocompass, bench unit, grey case", "MERIDIAN 5-20817", "6,900"),
    ("2", "Gyrocompass, bench unit, grey case", "MERIDIAN 5-20822", "6,900"),
    ("3", "Chart plotter, 16 inch, customer's property (vessel Ilse Marit)", "HX16-004471", "2,150"),
    ("4", "Chart plotter, 12 inch", "HX12-019903", "1,240"),
    ("5", "Sextant, brass, in a mahogany box, engraved “C. Pell 1961”", "none", "1,800"),
    ("6", "VHF sets, boxed, four of them", "VR-77120 to VR-77123", "1,160"),
    ("7", "Oscilloscope, four channels", "OSC4-88152", "2,400"),
    ("8", "Soldering station with two irons", "ST-5519", "480"),
    ("9", "Laptop computer, black, sticker of a heron on the lid", "NB-2K7741", "950"),
    ("10", "Petty cash tin, green", "none", "215"),
    ("11", "Keys to the barrier and to unit 8", "tag 31", "-"),
)
EXHIBITS = (
    ("OB/1", "Splinters of door frame with white paint", "DC Brandt", "NG 118 204"),
    ("OB/2", "Silicone cast of five pry marks, frame of unit 7", "DC Brandt", "NG 118 205"),
    ("OB/3", "Foam from the siren's housing", "DC Brandt", "NG 118 206"),
    ("OB/5", "Photographs and cast of tyre marks, loading bay", "DC Brandt", "NG 118 208"),
    ("TL/4", "Pry bar, 600 mm, blue paint, edge 25 mm", "PC Lindqvist", "NG 117 951"),
    ("TL/7", "Plan of the wharf with positions marked", "PC Lindqvist", "NG 117 954"),
    ("PS/1", "Recordings of cameras C1, C2 and C4, 00:00 to 07:00", "DC Šimková", "NG 118 311"),
)
ENQUIRIES = (
    "House to house. Units 1 to 6, 8 and 9 and the two moored boats were visited on 3 and 4 March. The owner of the boat Ilse Marit, Jørgen"
    " Ærlig, heard “a bang and then a diesel engine” and looked at his clock: five minutes to two. He saw nobody.",
    "Recordings. Exhibit PS/1 was watched in full. The van on C1 has a dent in the near-side rear door and a roof rail with one bar"
    " missing. Both features are visible on the recording of 14 January in case 2026-000091.",
    "Barrier. The landlord gave the list of everybody who was told the code: 31 names. Nine are former staff or former drivers. The list was"
    " compared with the persons named in the two earlier cases; one name appears in all three.",
    "Dealers. The serial numbers of items 1 to 4, 6 and 7 were sent to the seven marine dealers of the Northgate district and to the register of"
    " stolen instruments. No answer so far.",
    "Tool marks. Exhibits OB/2 and TL/4 were sent to the Northgate Laboratory on 4 March (reference NGL 26/0192).",
)
OPEN = (
    "Keeper of the van: list of white panel vans with a near-side dent from the district's parking tickets since December.",
    "Telephone numbers present at the wharf between 01:45 and 02:10: application drafted, waits for the supervisor's signature.",
    "Casimir Pell, co-owner of the firm, abroad until 9 March: to be asked about the sextant and about who knew of the gyrocompasses.",
    "Camera C3: who reported it, to whom, and why it was not repaired for twelve days.",
)
STATEMENT = (
    "I am the operations manager of Dunmore & Pell Instruments. We have rented unit 7 at Canal Wharf since 2014. Four people work there: myself,"
    " my partner Casimir Pell, and two technicians. Each of us has a key to the pedestrian door and knows the code of the alarm.",
    "On Monday 2 March 2026 I was the last to leave. It was ten past seven in the evening; I know this because the seven o'clock news had just"
    " ended on the workshop radio. I set the alarm, heard the long tone, closed the door and turned the key twice. I pulled at the handle, as I"
    " always do. The roller shutter had been down since four. It was raining and I saw nobody on the quay. There was a light on the boat"
    " that lies opposite our bay.",
    "On Tuesday 3 March I came at half past six in the morning. I drove in at the barrier, which was already open. From my car I saw that the"
    " pedestrian door stood open by about a hand. The frame was broken at the height of the lock and there was wood on the step. I did not"
    " go in. I telephoned the police from the car and waited there with the doors locked until two officers came.",
    "When the officers had looked through the building I went in with PC Lindqvist. The office seemed untouched, except that the drawer with"
    " the petty cash was on the floor. In the workshop the two gyrocompasses were gone from the bench, and with them the chart plotters, the"
    " radios that were still in their boxes, the oscilloscope and the laptop. I have given PC Lindqvist a list with the serial numbers.",
    "The sextant that belonged to Casimir's father was taken from the shelf over the door. It is not worth as much as the instruments, but"
    " one has to know that it is there: it cannot be seen from the door, and it was behind a row of folders. The folders had been put back.",
    "The gyrocompasses were delivered on Friday 27 February. Apart from the four of us, the haulier knew of them, and the customer. I remember"
    " that the driver was not our usual one. He was in his thirties, slim, about 1.80 m, with a short reddish beard and a dark woollen cap, and"
    " he asked whether we worked late. I answered that we did not. I would know him again.",
    "I missed a call on my telephone at one minute past two that night. It was the alarm centre. I sleep with the telephone"
    " in the kitchen. Nobody had my permission to enter the unit or to take anything from it. I am willing to attend court.",
)
LAB_METHOD = (
    "Both edges of the bar TL/4 were photographed and cleaned of loose soil. Test marks were made with each edge in lead sheet and in"
    " pine of the same age as the frame, at angles of 5, 15, 30 and 45 degrees to the surface.",
    "The cast OB/2 and casts of the test marks were compared side by side on a comparison microscope at 20, 40 and 80 times, in oblique light"
    " from the same direction. The second examiner, T. Ferreira, repeated the comparison without knowing the first result.",
)
LAB_SEEN = (
    "Mark 3 of the cast, 24.8 mm wide, shows a continuous field of fine parallel lines across 11 mm. The same field is found in the test marks"
    " of edge A at 15 degrees. The edge has a notch 0.6 mm wide near its left corner, with a burr; both appear in the cast. Edge B differs clearly."
)
LAB_LINES = (
    ("1 – 2 (notch)", "0.61", "0.60", "0.01"),
    ("2 – 3", "1.34", "1.35", "0.01"),
    ("3 – 4", "0.48", "0.48", "0.00"),
    ("4 – 5", "2.07", "2.05", "0.02"),
    ("5 – 6", "0.92", "0.93", "0.01"),
    ("6 – 7", "1.76", "1.76", "0.00"),
)
LAB_OPINION = (
    "The agreement in width, in the notch and its burr, and in 27 consecutive lines is far greater than we have seen between marks of"
    " different tools of the same make. No difference was found that would need an explanation.",
    "In our opinion the findings give very strong support to the proposition that edge A of the bar TL/4 made mark 3 on the frame of unit 7,"
    " rather than another bar of the same kind. Marks 1, 2 and 5 are too slight to compare. Mark 4 agrees in width only.",
)
LAB_LIMITS = (
    "The report speaks of the tool and not of who used it. The bar lay in water for some hours; it was not possible to tell when its"
    " edge was last altered. Paint and fibres are reported separately. The findings may be revised if further tools are submitted."
)
