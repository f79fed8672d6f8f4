/** The word by which this program is started as a supervisor; never typed by people. */
export const supervisorWord = "__supervisor"
